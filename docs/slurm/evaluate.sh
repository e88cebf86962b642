#!/bin/bash
#SBATCH --job-name=phasic-evaluate
#SBATCH --array=0-7
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=00:30:00
# Evaluates a model at many thetas; each task of the array takes its share of the rows.
#
#   sbatch evaluate.sh MODEL THETAS RESULTS [options of phasic evaluate]
set -euo pipefail
model=$1 thetas=$2 results=$3
shift 3

# As many parts as the array has tasks. SLURM_ARRAY_TASK_COUNT is not that number where only some are
# run again: sbatch --array=3,5 evaluate.sh ...
parts=${PARTS:-8}

# One cache on a file system that all nodes see: one task records the model, the others wait for it.
export PHASIC_CACHE_DIR=${PHASIC_CACHE_DIR:-$PWD/traces}
export PHASIC_THREADS=${SLURM_CPUS_PER_TASK:-1}

mkdir -p "$results"
part=$results/part-$SLURM_ARRAY_TASK_ID.jsonl
phasic evaluate "$model" --thetas "$thetas" --shard "$SLURM_ARRAY_TASK_ID/$parts" "$@" \
    > "$part.unfinished"
mv "$part.unfinished" "$part" # a part that has its name is whole
