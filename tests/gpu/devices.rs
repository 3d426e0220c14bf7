//! Devices are listed, chosen, and missed in one line.

use assert_cmd::assert::Assert;

use crate::BACKEND;
use crate::common::{Bench, SMALL};

/// The one line of a refusal, which is wrong usage.
fn refusal(assert: Assert) -> String {
    let assert = assert.code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    // A run says first what differs from its config, and a layer of Mesa's that there is no screen.
    let others = ["override  ", "error: XDG_RUNTIME_DIR"];
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !others.iter().any(|other| line.starts_with(other)))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].starts_with("error: "), "{text}");
    lines[0].to_string()
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("small.json", SMALL);
    bench
}

#[test]
fn a_processor_has_one_device_and_another_is_refused_by_flag_and_by_key() {
    let bench = bench();
    let before = bench.listing();
    for arguments in [
        "train small.json --device 1",
        "train small.json --set device=1",
        "bench small.json --device 1",
        "train small.json --device 1 --dry-run",
    ] {
        let said = refusal(bench.kiln(arguments).assert());
        for part in [
            "backend flex has no device 1, only 0",
            "`kiln devices`",
            "--device",
        ] {
            assert!(said.contains(part), "{part:?} is not in {said}");
        }
    }
    assert_eq!(bench.listing(), before);
    bench.output("train small.json --device 0 --run-dir run");
    let config: serde_json::Value = serde_json::from_slice(&bench.read("run/config.json")).unwrap();
    assert_eq!(config["device"], 0);
    let said = refusal(bench.kiln("eval run --device 2").assert());
    assert!(said.contains("no device 2"), "{said}");
}

#[test]
fn the_list_has_every_backend_with_its_devices_or_what_to_do() {
    let bench = Bench::new();
    let list = bench.json("devices --json");
    let backends: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["backend"].as_str().unwrap())
        .collect();
    assert_eq!(backends, ["flex", "ndarray", "wgpu", "vulkan", "cuda"]);
    assert_eq!(list[0]["devices"][0]["index"], 0);
    let text = bench.output("devices");
    for backend in list.as_array().unwrap() {
        let name = backend["backend"].as_str().unwrap();
        if backend["available"] == false {
            let detail = backend["detail"].as_str().unwrap();
            assert!(detail.contains(&format!("backend {name}")), "{detail}");
            assert!(detail.contains("use --backend flex"), "{detail}");
            assert!(text.contains(detail), "{text}");
        } else {
            assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
        }
    }
}

#[test]
#[cfg_attr(
    not(all(feature = "wgpu", kiln_vulkan)),
    ignore = "needs --features vulkan or wgpu, and a Vulkan driver (Debian: mesa-vulkan-drivers)"
)]
fn a_gpu_is_listed_with_driver_and_number_and_chosen_by_it() {
    let bench = bench();
    let list = bench.json("devices --json");
    let mut backends = list.as_array().unwrap().iter();
    let found = backends
        .find(|one| one["backend"] == BACKEND.name())
        .unwrap();
    let devices = found["devices"].as_array().unwrap();
    assert!(!devices.is_empty(), "{found}");
    for (index, device) in devices.iter().enumerate() {
        assert_eq!(device["index"], index);
        assert!(!device["name"].as_str().unwrap().is_empty());
        assert!(!device["interface"].as_str().unwrap().is_empty());
        assert!(!device["driver"].as_str().unwrap().is_empty(), "{device}");
    }
    if cfg!(feature = "vulkan") {
        assert!(
            devices[0]["memory_bytes"].as_u64().unwrap() > 1 << 28,
            "{found}"
        );
    }
    let backend = BACKEND.name();
    bench.output(&format!(
        "train small.json --backend {backend} --device 0 --run-dir run"
    ));
    let missing = devices.len();
    let train = format!("train small.json --backend {backend} --device {missing}");
    let said = refusal(bench.kiln(&train).assert());
    assert!(
        said.contains(&format!(
            "backend {backend} has no device {missing}, only 0"
        )),
        "{said}"
    );
}

/// Where no driver answers, and where one is broken.
#[test]
#[cfg_attr(not(feature = "wgpu"), ignore = "needs --features vulkan or wgpu")]
fn a_missing_gpu_is_one_line_with_what_to_install() {
    let bench = bench();
    bench.write("broken.json", r#"{"file_format_version": "1.0.0", "ICD": {"library_path": "/dev/null", "api_version": "1.3.0"}}"#);
    let before = bench.listing();
    let backend = BACKEND.name();
    for driver in ["/nowhere.json", "broken.json"] {
        for verb in [
            "train small.json",
            "train small.json --dry-run",
            "bench small.json",
        ] {
            let mut kiln = bench.kiln(&format!("{verb} --backend {backend}"));
            for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
                kiln.env(variable, driver);
            }
            // wgpu would take OpenGL's software, which is there even without Vulkan's.
            if !cfg!(feature = "vulkan") {
                continue;
            }
            let said = refusal(kiln.assert());
            for part in [
                &*format!("backend {backend} found no GPU"),
                "install a Vulkan driver",
                "--backend flex",
            ] {
                assert!(said.contains(part), "{part:?} is not in {said}");
            }
        }
    }
    assert_eq!(bench.listing(), before);
}
