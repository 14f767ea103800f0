//! What the documents say of the code is so.

use std::path::PathBuf;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Texts between backticks, in order.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_invariant_names_tests_that_exist() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: Vec<&str> =
        page.lines().filter(|line| line.starts_with("| ") && line.contains("crates/")).collect();
    assert!(!rows.is_empty());
    for row in rows {
        let held_by = row.rsplit(" | ").next().unwrap();
        let (mut file, mut source, mut tests) = ("", String::new(), 0);
        for name in quoted(held_by) {
            if name.starts_with("crates/") {
                file = name;
                source = std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
            } else {
                assert!(source.contains(&format!("fn {name}(")), "{name} is not in {file}");
                tests += 1;
            }
        }
        assert!(tests > 0, "{row}");
    }
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    for document in ["README.md", "docs/architecture.md", "docs/adr/0003-embedded-default.md"] {
        let path = root().join(document);
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.starts_with("http") {
                assert!(path.parent().unwrap().join(link).exists(), "{link} in {document}");
            }
        }
    }
}
