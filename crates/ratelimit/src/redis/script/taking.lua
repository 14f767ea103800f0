
-- For each algorithm, by its letter: counts the request. What was read is still true: a script runs alone.
--
-- Expiries are moments, not durations: these would count from when the script began, which may be before `now`.
local take = {}

-- At most so many members that are out of their window are removed at once from each log, and as many as are added:
-- a script holds up everybody else.
local TRIM = math.floor(128 / #KEYS)
