"""State that earlier builds stored, met by this one; and the way back."""
