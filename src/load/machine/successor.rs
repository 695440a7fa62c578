//! Whether a process is another one, restarted.

/// Whether they are the same program with the same arguments but for one at most, such as the port.
pub(super) fn is_successor(of: &[Vec<u8>], new: &[Vec<u8>]) -> bool {
    let differ = of.iter().zip(new).filter(|(a, b)| a != b).count();
    of.len() == new.len() && of.first().is_some_and(|program| new.first() == Some(program)) && differ <= 1
}

/// The name of a program, from its path.
pub(super) fn program(arguments: &[Vec<u8>]) -> Option<String> {
    let path = String::from_utf8_lossy(arguments.first()?);
    let name = path.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Vec<Vec<u8>> {
        text.split_whitespace().map(|part| part.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_server_on_the_same_directory_is_the_same_and_on_another_is_not() {
        let first = line("/x/nats-server -c /a/config -p -1 -sd /a/store");
        assert!(is_successor(&first, &line("/x/nats-server -c /a/config -p 4222 -sd /a/store")));
        assert!(is_successor(&first, &first));
        assert!(!is_successor(&first, &line("/x/nats-server -c /b/config -p -1 -sd /b/store")));
        assert!(!is_successor(&first, &line("/y/nats-server -c /a/config -p -1 -sd /a/store")));
        assert!(!is_successor(&first, &line("/x/nats-server -c /a/config")));
    }

    #[test]
    fn what_has_no_arguments_is_no_successor() {
        assert!(!is_successor(&[], &[]));
        assert_eq!(program(&[]), None);
        assert_eq!(program(&line("/x/nats-server -c /a")), Some("nats-server".into()));
    }
}
