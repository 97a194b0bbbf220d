//! The protos: every element has a comment, and their form keeps them changeable.

use crate::tree::{Page, clean, page, pages};

fn protos() -> Vec<Page> {
    pages("proto", ".proto")
}

/// Returns the declaration on a line of a proto file, if there is one.
fn declared(line: &str) -> Option<&str> {
    let line = line.trim();
    let opens = ["message ", "enum ", "service ", "rpc ", "oneof "].into_iter().any(|word| line.starts_with(word));
    let numbered = line.split("//").next().unwrap_or(line).trim_end();
    let number = numbered.strip_suffix(';').and_then(|line| line.rsplit_once(" = ")).map(|(_, number)| number);
    let field = number.is_some_and(|number| number.split(" [").next().is_some_and(|n| n.parse::<u32>().is_ok()));
    (opens || field).then_some(line)
}

#[test]
fn every_message_field_value_service_and_call_has_a_comment() {
    let mut found = Vec::new();
    for page in protos() {
        let mut before = "";
        for (number, line) in page.lines() {
            if let Some(what) = declared(line)
                && !before.trim().starts_with("//")
                && !line.contains("//")
            {
                found.push(format!("{}:{number}: {what}", page.path));
            }
            before = line;
        }
    }
    clean(found);
}

#[test]
fn a_package_is_its_path() {
    let mut found = Vec::new();
    for page in protos() {
        let folder = page.path.strip_prefix("proto/").and_then(|path| path.rsplit_once('/')).unwrap_or_default().0;
        if !page.text.contains(&format!("\npackage {};\n", folder.replace('/', "."))) {
            found.push(page.path);
        }
    }
    clean(found);
}

#[test]
fn a_call_has_a_request_and_a_response_of_its_own_name() {
    let mut found = Vec::new();
    for page in protos() {
        for (number, line) in page.lines() {
            let Some(call) = line.trim().strip_prefix("rpc ") else { continue };
            let name = call.split('(').next().unwrap_or_default();
            let plain = format!("{name}({name}Request) returns ({name}Response);");
            let streamed = format!("{name}({name}Request) returns (stream {name}Response);");
            if call != plain && call != streamed {
                found.push(format!("{}:{number}: {call}", page.path));
            }
        }
    }
    clean(found);
}

#[test]
fn an_enum_begins_with_what_was_not_said() {
    let mut found = Vec::new();
    for page in protos() {
        let mut waiting = None;
        for (number, line) in page.lines() {
            let line = line.trim();
            if line.starts_with("enum ") {
                waiting = Some(line);
            } else if let Some(what) = waiting.filter(|_| line.contains(" = ") && !line.starts_with("//")) {
                if !line.ends_with("_UNSPECIFIED = 0;") {
                    found.push(format!("{}:{number}: {what}", page.path));
                }
                waiting = None;
            }
        }
    }
    clean(found);
}

#[test]
fn every_reason_says_its_code_and_what_to_do() {
    let page = page("proto/switchboard/v1/error_reason.proto");
    let mut found = Vec::new();
    let mut before = "";
    for (number, line) in page.lines() {
        let is_reason = line.starts_with("  ") && line.contains(" = ") && !line.contains("UNSPECIFIED");
        let code = before.trim().strip_prefix("// ").and_then(|said| said.split('.').next()).unwrap_or_default();
        if is_reason && (code.is_empty() || !code.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
            found.push(format!("{}:{number}: {}", page.path, line.trim()));
        }
        before = line;
    }
    clean(found);
}
