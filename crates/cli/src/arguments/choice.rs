//! Enums of the library as options.

use std::ffi::OsStr;
use std::marker::PhantomData;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command};
use eagleray::internal::Choice;

/// Parses one of the names of an enum, in any case; `--help` lists them.
pub fn choice<T: Choice>() -> impl TypedValueParser<Value = T> {
    let named = |(name, value): &(&'static str, T)| {
        let aliases = T::ALIASES.iter().filter(|(_, other)| other == value).map(|(alias, _)| *alias);
        PossibleValue::new(*name).aliases(aliases)
    };
    ChoiceParser { names: PossibleValuesParser::new(T::NAMES.iter().map(named)), of: PhantomData }
}

#[derive(Clone)]
struct ChoiceParser<T> {
    names: PossibleValuesParser,
    of: PhantomData<T>,
}

impl<T: Choice> TypedValueParser for ChoiceParser<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, clap::Error> {
        match value.to_str().and_then(T::from_name) {
            Some(found) => Ok(found),
            None => {
                // What is said lists the names.
                self.names.parse_ref(command, argument, value)?;
                Err(clap::Error::new(ErrorKind::InvalidValue).with_cmd(command))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.names.possible_values()
    }
}
