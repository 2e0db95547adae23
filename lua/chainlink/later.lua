-- SPDX-License-Identifier: MIT
-- Modules that many programs do without: each is loaded when a member of it is first asked for.

--- A table with the members of the module of that name.
return function(name)
  return setmetatable({}, { __index = function(members, key)
    local value = require(name)[key]
    rawset(members, key, value)
    return value
  end })
end
