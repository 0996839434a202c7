-- Month reports of clients: intake records comments, approvals and editions.
CREATE POLICY intake_records_month_reports ON log.events FOR INSERT TO desk_intake WITH CHECK (
    split_part(originator_id, '-', 1) = 'month_report'
    AND topic IN ('month_report.commented', 'month_report.approved', 'month_report.published'));
