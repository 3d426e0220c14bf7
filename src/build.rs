//! The build script: which compiler makes kiln, for `kiln doctor`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=src/build.rs");
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(compiler)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let version = version.as_deref().map_or("unknown", str::trim);
    println!("cargo::rustc-env=KILN_RUSTC={version}");
}
