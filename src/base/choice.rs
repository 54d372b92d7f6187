//! Choices: enums whose variants users ask for by name.

/// An enum whose variants have names.
pub trait Choice: Copy + PartialEq + Send + Sync + 'static {
    /// All variants by their names, in the order in which they are listed.
    const NAMES: &'static [(&'static str, Self)];
    /// Other names that are understood.
    const ALIASES: &'static [(&'static str, Self)];

    /// The name of a variant.
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }

    /// The variant of a name, in any case.
    fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::NAMES.iter().chain(Self::ALIASES);
        all.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

/// Makes an enum a [`Choice`] that is written and read by its names; `$field` is the option that errors name.
macro_rules! choice {
    ($type:ident, $field:literal: $($variant:ident = $name:literal $(| $alias:literal)?),+ $(,)?) => {
        impl $crate::base::choice::Choice for $type {
            const NAMES: &'static [(&'static str, $type)] = &[$(($name, $type::$variant)),+];
            const ALIASES: &'static [(&'static str, $type)] = &[$($(($alias, $type::$variant),)?)+];
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($crate::base::choice::Choice::name(*self))
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::base::error::Error;
            fn from_str(text: &str) -> $crate::base::error::Result<$type> {
                use $crate::base::choice::Choice;
                let names = || <$type>::NAMES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                let unknown = || $crate::base::error::Error::argument($field, text, format!("must be one of {}", names()));
                <$type>::from_name(text).ok_or_else(unknown)
            }
        }
    };
}
pub(crate) use choice;
