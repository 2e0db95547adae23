-- SPDX-License-Identifier: MIT
local host = require "spec.support.host"
local scenes = require "spec.hosts.scenes"
local waits = require "spec.hosts.waits"

if not host.has "copas" then
  pending("Copas is not there for this Lua", function() end)
  return
end

local copas = require "copas"
local options = { is_found = copas.running ~= nil, has_no_limit = not copas.settimeouts }
scenes("copas", host.copas, options)
waits("copas", host.copas, options)
