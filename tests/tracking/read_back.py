"""Reads what kiln logged with the programs that it is for, and prints it as JSON: {name: {step: [values]}}.

read_back.py tensorboard FOLDER
read_back.py mlflow ADDRESS       the one run of the server, with "status", "params" and "artifacts"
"""

import json
import sys


def tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    found.Reload()
    tags = found.Tags()
    scalars = {}
    for tag in tags["scalars"]:
        for event in found.Scalars(tag):
            scalars.setdefault(tag, {}).setdefault(event.step, []).append(event.value)
    from tensorboard.plugins.hparams import metadata

    content = found.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(content)
    hparams = {}
    for name, value in start.hparams.items():
        kind = value.WhichOneof("kind")
        hparams[name] = getattr(value, kind)
    pictures = {tag: [event.width, event.height] for tag in tags["images"] for event in found.Images(tag)}
    return {"scalars": scalars, "hparams": hparams, "images": pictures, "text": sorted(tags["tensors"])}


def mlflow(address):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(address)
    experiments = client.search_experiments()
    runs = [run for one in experiments for run in client.search_runs([one.experiment_id])]
    assert len(runs) == 1, f"{len(runs)} runs"
    run = runs[0]
    scalars = {}
    for name in run.data.metrics:
        for metric in client.get_metric_history(run.info.run_id, name):
            scalars.setdefault(name, {}).setdefault(metric.step, []).append(metric.value)
    artifacts = {one.path: one.file_size for one in client.list_artifacts(run.info.run_id)}
    return {
        "scalars": scalars,
        "hparams": run.data.params,
        "status": run.info.status,
        "artifacts": artifacts,
    }


print(json.dumps({"tensorboard": tensorboard, "mlflow": mlflow}[sys.argv[1]](sys.argv[2])))
