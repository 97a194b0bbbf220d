//! How the payload structs are declared with the enum over them, and how each knows its personal fields.

use crate::personal::Personal;

/// Declares the payload structs and the closed enum over them; optional fields are left out when absent.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    } personal($($personal:ident),*))+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
            impl $name {
                /// Calls `each` with every personal field that is present, by name.
                #[allow(unused_variables)]
                pub fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                    $(if let Some(value) = $crate::ticket::event::declared::Slot::slot(&mut self.$personal) { each(stringify!($personal), value); })*
                }
            }
            impl From<$name> for Event {
                fn from(event: $name) -> Self { Self::$name(Box::new(event)) }
            }
        )+
        /// Anything that can happen to a ticket.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name(Box<$name>),)+ }
        impl Event {
            /// The event's name in the trade's words, without version.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)+ }
            }
            /// Calls `each` with every personal field that is present, by name.
            pub fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                match self { $(Self::$name(event) => event.each_personal(each),)+ }
            }
        }
    };
}

pub(super) use events;

/// A place where personal data may stand: always, or perhaps.
pub(super) trait Slot {
    fn slot(&mut self) -> Option<&mut Personal>;
}

impl Slot for Personal {
    fn slot(&mut self) -> Option<&mut Personal> {
        Some(self)
    }
}

impl Slot for Option<Personal> {
    fn slot(&mut self) -> Option<&mut Personal> {
        self.as_mut()
    }
}
