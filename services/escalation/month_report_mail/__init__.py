"""Mail to contacts of clients: a link to the month report that was published."""
