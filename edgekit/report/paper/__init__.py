"""The paper's tables and figures, with ours beside them, each of ours traceable to the file that it comes from."""
