//! The connectors that come with the engine: their files and their samples, inside the binary.

/// Id and text of every built-in connector file.
pub fn builtin() -> &'static [(&'static str, &'static str)] {
    &[
        (
            "kingdee-k3cloud",
            include_str!("../../../connectors/kingdee-k3cloud/connector.yaml"),
        ),
        (
            "netease-huke",
            include_str!("../../../connectors/netease-huke/connector.yaml"),
        ),
    ]
}

/// Connector, operation and answer. A sample is a whole answer as we believe the system gives it.
const SAMPLES: &[(&str, &str, &str)] = &[
    (
        "netease-huke",
        "search_trades",
        include_str!("../../../connectors/netease-huke/samples/search_trades.json"),
    ),
    (
        "netease-huke",
        "search_customers",
        include_str!("../../../connectors/netease-huke/samples/search_customers.json"),
    ),
];

/// The sample answer of an operation.
pub(crate) fn sample(connector: &str, operation: &str) -> Option<&'static str> {
    SAMPLES
        .iter()
        .find(|(of, name, _)| *of == connector && *name == operation)
        .map(|(_, _, text)| *text)
}
