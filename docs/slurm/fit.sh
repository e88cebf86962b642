#!/bin/bash
#SBATCH --job-name=phasic-fit
#SBATCH --ntasks=4
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
# One fit by several processes, on as many nodes as SLURM gives: fit.py is started in each.
#
#   sbatch fit.sh DATA
set -euo pipefail
export PHASIC_CACHE_DIR=${PHASIC_CACHE_DIR:-$PWD/traces}
export PHASIC_THREADS=1
srun python fit.py "$1"
