#!/bin/bash
#SBATCH --job-name=phasic-infer
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
# Fits a model to data; a job that is cut short and queued again goes on where it was.
#
#   sbatch infer.sh MODEL DATA RESULTS [options of phasic infer]
set -euo pipefail
model=$1 data=$2 results=$3
shift 3

export PHASIC_CACHE_DIR=${PHASIC_CACHE_DIR:-$PWD/traces}
export PHASIC_THREADS=${SLURM_CPUS_PER_TASK:-1}
# Programs that JAX has compiled once.
export JAX_COMPILATION_CACHE_DIR=${JAX_COMPILATION_CACHE_DIR:-$PWD/programs}

mkdir -p "$results"
phasic infer "$model" "$data" --checkpoint "$results/fit.npz" -o "$results/particles.npy" "$@" \
    > "$results/fit.json"
