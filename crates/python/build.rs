//! Lets the linker of macOS leave Python's functions to be found when the module is loaded, as those of Linux do.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
