-- SPDX-License-Identifier: MIT
-- What a database of SQLite answers.

local core = require "chainlink.core"

--- The rows that a statement answers, the columns of each as one text with bars between.
return function(path, sql)
  local database = assert(core.sqlite_open(path, false))
  local query, got = assert(core.sqlite_prepare(database, sql)), {}
  for row in function() return core.sqlite_step(query) or nil end do
    for i, value in ipairs(row) do row[i] = tostring(value) end
    got[#got + 1] = table.concat(row, "|")
  end
  core.sqlite_free(query)
  core.sqlite_close(database)
  return got
end
