"""What LOINC, its French labels and the pending codes mean, without any knowledge of workbooks."""
