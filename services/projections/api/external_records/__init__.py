"""The endpoints of external records: listed, found, shown, and the incidents of one."""
