-- The value of a contact method is replaced as a whole, with its kind and instant.

GRANT UPDATE (kind, added_at) ON directory.contact_methods TO desk_intake;
