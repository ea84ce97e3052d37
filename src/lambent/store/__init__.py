"""Where state lives. `ports` say what a store promises; `sql` keeps the promise on any engine; `sqlite` is one."""
