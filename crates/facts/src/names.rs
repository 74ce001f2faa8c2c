//! How the Python SDK turns an operation's name into a method's name.

/// The boto3 method of an operation by the SDK's rule: `ListObjectsV2` is `list_objects_v2`, `DescribeARNs` is
/// `describe_arns`. A name that already holds an underscore stays as it is. The few names the SDK spells otherwise
/// are in the tables: ask [`crate::Operation::method`] for the true one.
#[must_use]
pub fn snake_case(name: &str) -> String {
    if name.contains('_') {
        return name.to_owned();
    }
    let mut characters: Vec<char> = name.chars().collect();
    // A plural acronym at the end is one word: `ListACLs`, `GetIDs`.
    if characters.last() == Some(&'s') {
        let capitals = characters[..characters.len() - 1]
            .iter()
            .rev()
            .take_while(|character| character.is_ascii_uppercase())
            .count();
        if capitals >= 2 {
            let start = characters.len() - 1 - capitals;
            for character in &mut characters[start..] {
                character.make_ascii_lowercase();
            }
            characters.insert(start, '_');
        }
    }
    let characters = part_before_words(&characters);
    let mut method = String::with_capacity(characters.len() + 8);
    let mut index = 0;
    while let Some(&character) = characters.get(index) {
        method.push(character.to_ascii_lowercase());
        let next = characters.get(index + 1).filter(|next| next.is_ascii_uppercase());
        if let Some(next) = next.filter(|_| character.is_ascii_lowercase() || character.is_ascii_digit()) {
            method.push('_');
            method.push(next.to_ascii_lowercase());
            index += 1;
        }
        index += 1;
    }
    method
}

/// Puts an underscore between any character and a capital that small letters follow.
fn part_before_words(characters: &[char]) -> Vec<char> {
    let mut parted = Vec::with_capacity(characters.len() + 8);
    let mut index = 0;
    while let Some(&character) = characters.get(index) {
        parted.push(character);
        index += 1;
        let word = characters.get(index).is_some_and(char::is_ascii_uppercase)
            && characters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if word {
            parted.push('_');
            parted.push(characters[index]);
            index += 1;
            while let Some(small) = characters.get(index).filter(|next| next.is_ascii_lowercase()) {
                parted.push(*small);
                index += 1;
            }
        }
    }
    parted
}

#[cfg(test)]
mod tests {
    use super::snake_case;

    #[test]
    fn operations_become_methods_as_in_the_sdk() {
        for (operation, method) in [
            ("PutItem", "put_item"),
            ("ListObjectsV2", "list_objects_v2"),
            ("Invoke", "invoke"),
            ("GetSMSAttributes", "get_sms_attributes"),
            ("CreateSMSSandboxPhoneNumber", "create_sms_sandbox_phone_number"),
            ("DescribeDBInstances", "describe_db_instances"),
            ("CreateSAMLProvider", "create_saml_provider"),
            ("SetIdentityDkimEnabled", "set_identity_dkim_enabled"),
            ("ListDBEngineARNs", "list_db_engine_arns"),
            ("GetIPSet", "get_ip_set"),
            ("Get2Things", "get2_things"),
            ("already_there", "already_there"),
            ("s", "s"),
            ("", ""),
        ] {
            assert_eq!(snake_case(operation), method, "{operation}");
        }
    }
}
