//! The access token, which never prints itself.

use std::fmt;

/// An access token of the hub. `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// Why a text is not a token. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the access token holds characters that no token has (spaces, control or non-ASCII characters)")]
pub struct TokenError;

impl Token {
    /// A token from a variable or a file; white space around it is dropped, and `None` means it was empty.
    ///
    /// # Errors
    /// When it could not stand in an HTTP header.
    pub fn parse(text: &str) -> Result<Option<Self>, TokenError> {
        let text = text.trim();
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError);
        }
        Ok((!text.is_empty()).then(|| Self(text.to_owned())))
    }

    /// The value of the `Authorization` header.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_checked_and_never_shown() {
        let token = Token::parse(" hf_secret\r\n").unwrap().unwrap();
        assert_eq!(token.bearer(), "Bearer hf_secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert_eq!(Token::parse(" \n"), Ok(None));
        for bad in ["two words", "hf\r\nX-Injected: 1", "hf_\u{e9}"] {
            assert_eq!(Token::parse(bad), Err(TokenError), "{bad:?}");
        }
    }
}
