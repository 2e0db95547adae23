-- SPDX-License-Identifier: MIT
local host = require "spec.support.host"
local scenes = require "spec.hosts.scenes"

if not host.has "copas" then
  pending("Copas is not there for this Lua", function() end)
  return
end

local copas = require "copas"
scenes("copas", host.copas, { is_found = copas.running ~= nil, has_no_limit = not copas.settimeouts })
