#!/bin/sh
# Trains one classifier with each loss, all else the same, and evaluates them on the validation part.
#
#     tools/losses.sh VULNLENS DATA START FOLDER [ARGUMENTS OF train encoder …]
#
# START is a checkpoint or language model to begin with. Run again after a break, it goes on: finished models are left as
# they are. `tools/losses.py FOLDER/evaluation.json` makes the table of docs/training.md of what this writes.
set -eu
if [ $# -lt 4 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
vulnlens=$1 data=$2 start=$3 folder=$4
shift 4
mkdir -p "$folder"
for loss in plain weighted asymmetric focal; do
    "$vulnlens" train encoder --data "$data" --from "$start" --objective multilabel --labels cwe-with-ancestors \
        --loss "$loss" --goal macro-f1 --resume --out "$folder/$loss" "$@"
done
cd "$folder"
case $data in /*) ;; *) data=$OLDPWD/$data ;; esac
case $vulnlens in /*) ;; */*) vulnlens=$OLDPWD/$vulnlens ;; esac
"$vulnlens" evaluate --data "$data" --split random --part validation --model plain weighted asymmetric focal \
    --figures figures --out evaluation.json --headline
