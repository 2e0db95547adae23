-- SPDX-License-Identifier: MIT
-- A cluster's answer that another server has the key: "MOVED 3999 127.0.0.1:6381".

local redirect = {}

--- The place {host=, port=} that an error answer names, nil where it names none. `place` is who answered, whose host is
--- meant where none is told. (ASK, while a slot is being moved, names none: asking again later leads there.)
function redirect.read(words, place)
  local host, port = words:match "^MOVED %d+ (.*):(%d+)$"
  if not port then return nil end
  host = host:match "^%[(.*)%]$" or host
  return { host = host ~= "" and host ~= "?" and host or place.host, port = tonumber(port) }
end

return redirect
