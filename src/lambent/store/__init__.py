"""Where state lives. `ports` say what a store promises; `sqlite` (and later `postgres`) keep the promise."""
