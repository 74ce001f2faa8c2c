//! What names say: of a caller, of what a caller may do, of what nobody else is to read. Readers and audits share these, so
//! that both mean the same by them.

/// Names of who somebody is.
const IDENTITY: &[&str] = &[
    "user",
    "userid",
    "uid",
    "username",
    "sub",
    "subject",
    "owner",
    "ownerid",
    "account",
    "accountid",
    "customer",
    "customerid",
    "tenant",
    "tenantid",
    "member",
    "memberid",
    "patient",
    "patientid",
    "employee",
    "employeeid",
    "player",
    "playerid",
    "profileid",
    "org",
    "orgid",
    "organization",
    "organizationid",
    "organisation",
    "organisationid",
    "author",
    "authorid",
    "createdby",
    "student",
    "studentid",
    "seller",
    "sellerid",
    "driverid",
    "merchantid",
    "companyid",
    "principal",
    "principalid",
    "useremail",
    "owneremail",
    "login",
    "loginid",
    "cognitoid",
    "cognitosub",
    "usersub",
    "actor",
    "actorid",
    "requester",
    "requesterid",
    "caller",
    "callerid",
    "guestid",
    "subscriberid",
    "workspaceid",
];

/// Names of what somebody may do.
const ROLE: &[&str] = &[
    "isadmin",
    "admin",
    "role",
    "roles",
    "userrole",
    "group",
    "groups",
    "cognitogroups",
    "isstaff",
    "staff",
    "superuser",
    "issuperuser",
    "permission",
    "permissions",
    "isowner",
    "privilege",
    "privileges",
    "accesslevel",
    "ismanager",
    "isroot",
    "scope",
    "scopes",
    "isinternal",
    "ismoderator",
    "usertype",
    "authlevel",
    "authorizationlevel",
    "userlevel",
    "permissionlevel",
    "privilegelevel",
    "adminlevel",
    "clearance",
    "clearancelevel",
    "isadministrator",
    "administrator",
    "rolename",
    "roleid",
];

/// Names that are private as a whole.
const PRIVATE: &[&str] = &[
    "pwd",
    "pass",
    "pin",
    "otp",
    "card",
    "pan",
    "cvv",
    "cvc",
    "cvv2",
    "ccn",
    "ccnum",
    "ssn",
    "iban",
    "cookie",
    "cookies",
    "billing",
    "token",
    "jwt",
    "bearer",
    "credentials",
    "creds",
    "authorization",
    "auth",
    "nationalid",
    "taxid",
    "accountnumber",
    "routingnumber",
    "sin",
    "diagnosis",
    "mfacode",
    "securitycode",
];

/// Parts of names that are private wherever they stand.
const PRIVATE_PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "creditcard",
    "cardnumber",
    "cardno",
    "cardcvv",
    "cardcvc",
    "socialsecurity",
    "apikey",
    "accesskey",
    "privatekey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "sessiontoken",
    "authtoken",
    "bearertoken",
    "resettoken",
    "bankaccount",
    "passport",
    "sessionid",
];

/// Names that only count or point to something private.
const ABOUT: &[&str] = &[
    "length",
    "count",
    "id",
    "name",
    "arn",
    "expiry",
    "expires",
    "type",
    "hash",
    "hashed",
    "hint",
    "policy",
    "masked",
    "last4",
    "lastfour",
    "strength",
    "enabled",
    "url",
    "ttl",
    "iterations",
    "rounds",
    "size",
    "algorithm",
    "version",
];

/// A name in lower case, without what separates its words, and without a prefix such as `custom:`.
fn squeezed(name: &str) -> String {
    let name = name.rsplit(':').next().unwrap_or(name);
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a name says who somebody is: `userId`, `owner`, `custom:tenant_id`.
pub fn is_identity(name: &str) -> bool {
    IDENTITY.contains(&squeezed(name).as_str())
}

/// Whether a name says what somebody may do: `isAdmin`, `role`, `cognito:groups`.
pub fn is_role(name: &str) -> bool {
    let squeezed = squeezed(name);
    ROLE.contains(&squeezed.as_str()) || squeezed.strip_prefix('x').is_some_and(|rest| ROLE.contains(&rest))
}

/// Whether a name says that nobody else is to read what it names: `password`, `cardNumber`, `x-api-key`.
pub fn is_private(name: &str) -> bool {
    let squeezed = squeezed(name);
    if ABOUT.iter().any(|about| squeezed.len() > about.len() && squeezed.ends_with(about)) && squeezed != "nationalid" {
        return squeezed.ends_with("sessionid") || squeezed.ends_with("taxid");
    }
    PRIVATE.contains(&squeezed.as_str()) || PRIVATE_PARTS.iter().any(|part| squeezed.contains(part))
}

/// Whether a name says that it is what something costs: `price`, `totalAmount`.
pub fn is_price(name: &str) -> bool {
    let squeezed = squeezed(name);
    matches!(
        squeezed.as_str(),
        "price"
            | "total"
            | "amount"
            | "unitprice"
            | "totalprice"
            | "totalamount"
            | "carttotal"
            | "ordertotal"
            | "discount"
            | "unitamount"
            | "cost"
            | "subtotal"
            | "grandtotal"
            | "pricecents"
            | "amountcents"
            | "totalcents"
    )
}

/// A hash of a text (FNV-1a, 64 bits), to tell whether two are the same without keeping either.
pub fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_in_any_spelling() {
        for name in ["userId", "user_id", "OWNER", "custom:tenant-id", "sub"] {
            assert!(is_identity(name), "{name}");
        }
        for name in ["orderId", "id", "userAgent", "accountingYear"] {
            assert!(!is_identity(name), "{name}");
        }
        assert!(is_role("custom:is_admin") && is_role("cognito:groups") && is_role("X-Role"));
        for name in ["password", "new_password", "cardNumber", "cvv", "Authorization", "x-api-key", "nationalId"] {
            assert!(is_private(name), "{name}");
        }
        for name in ["passwordLength", "tokenId", "cardLast4", "secretName", "nextToken", "orderId", "passwordHash"] {
            assert!(!is_private(name), "{name}");
        }
        assert!(is_price("unit_price") && !is_price("priceListId"));
    }
}
