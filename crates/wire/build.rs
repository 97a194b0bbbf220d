//! Compiles `proto/` without `protoc`: protox parses the files; prost and tonic generate the code. The descriptor set
//! is kept for reflection.

use std::{env, fs, path::PathBuf};

use prost::Message as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let files = ["ticket", "intake", "audit", "board", "admin", "promise", "dispatch", "error_reason"]
        .map(|name| root.join(format!("switchboard/v1/{name}.proto")));
    let descriptors = protox::compile(files, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().codec_path("crate::codec::ShortMessages").compile_fds(descriptors)?;
    Ok(())
}
