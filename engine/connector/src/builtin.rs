//! The connectors that come with the engine: their files and their samples, inside the binary.

mod folder {
    //! Written by `build.rs` from the folder `connectors`.
    include!(concat!(env!("OUT_DIR"), "/connectors.rs"));
}

/// Id and text of every built-in connector file, in order of the ids.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    folder::CONNECTORS
}

/// The channels of field mappings, as the platform whose protocol we speak names them.
pub const FIELD_CHANNELS: &[&str] = &["ERP_K3CLOUD", "ERP_SAP", "ERP_U8", "OA", "STANDARD_CHANNEL"];

/// What the values of field mappings are, besides the options of a field (`OBJECT.FIELD`). The platform publishes no list
/// of its words: these are the kinds that it names.
pub const FIELD_TYPES: &[&str] = &["country", "currency", "department", "employee", "unit"];

/// The sample answer of an operation: a whole answer as we believe the system gives it.
pub(crate) fn sample(connector: &str, operation: &str) -> Option<&'static str> {
    folder::SAMPLES
        .iter()
        .find(|(of, name, _)| *of == connector && *name == operation)
        .map(|(_, _, text)| *text)
}
