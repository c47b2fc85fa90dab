//! Exposes the interpreter's version to `cfg`, for the few structures that differ between releases.

fn main() {
    pyo3_build_config::use_pyo3_cfgs();
}
