//! Pure functions over one text: names, e-mail, phone, address, date, number. `standardize` applies them to columns, the SQL
//! functions offer them to mapping queries.

pub mod date;
pub mod email;
pub mod number;
pub mod phone;
