//! Expressions of published schemes give what the tool gives that they come from, or the report of the import said why not.

use std::path::Path;

use crate::server::Server;

/// Records of each expression.
const RECORDS: u64 = 200;

#[test]
fn imported_expressions_beside_pasted_text() {
    let server = Server::mariadb();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/qeasy");
    let say = |line: &str| println!("{line}");
    tests::oracle::imported(&server.socket(), &corpus, RECORDS, 1, &say)
        .expect("no difference without a reason");
}
