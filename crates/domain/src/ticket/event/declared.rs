//! The macro that declares the event payloads and the enum over them, and lists the personal fields of each.

use crate::personal::Personal;

/// Declares the payload structs and the closed enum. Absent optional fields are not stored.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    } personal($($personal:ident),*))+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type,)* }
            impl $name {
                /// Calls `each` for every personal field that is present, with its name.
                #[allow(unused_variables)]
                pub fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                    $(if let Some(value) = $crate::ticket::event::declared::Slot::slot(&mut self.$personal) { each(stringify!($personal), value); })*
                }
            }
            impl From<$name> for Event {
                fn from(event: $name) -> Self { Self::$name(Box::new(event)) }
            }
        )+
        /// An event of a ticket.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $name(Box<$name>),)+ }
        impl Event {
            /// The name of the event, without version.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => stringify!($name),)+ }
            }
            /// Calls `each` for every personal field that is present, with its name.
            pub fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                match self { $(Self::$name(event) => event.each_personal(each),)+ }
            }
        }
    };
}

pub(super) use events;

/// A field that holds personal data, required or optional.
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
