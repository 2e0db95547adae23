-- SPDX-License-Identifier: MIT
-- Checks of error objects, the same for every spec.

local chainlink = require "chainlink"

local SECRETS = { "simulator-secret", "not-the-secret" }

--- Asserts that a call answered nil and an error of that kind, which is returned. fields: members it must have.
local function failure(kind, fields, value, err, ...)
  assert(value == nil and select("#", ...) == 0, ("expected nil and an error, got %s"):format(tostring(value)))
  assert(chainlink.is_error(err), "not an error object: " .. tostring(err))
  assert(err.kind == kind, ("expected %s, got %s"):format(kind, tostring(err)))
  assert(err:is(kind) and err:is "ChainlinkError")
  for name, expected in pairs(fields) do
    if err[name] ~= expected then
      error(("%s: %s is %s, not %s"):format(tostring(err), name, tostring(err[name]), tostring(expected)), 2)
    end
  end
  for _, secret in ipairs(SECRETS) do assert(not tostring(err):find(secret, 1, true), "the error tells the secret") end
  return err
end

--- The same for a function that raises.
local function raised(kind, fields, run, ...)
  local ok, err = pcall(run, ...)
  assert(not ok, "expected an error to be raised")
  return failure(kind, fields, nil, err)
end

--- The message must contain the text.
local function says(err, text)
  if not err.message:find(text, 1, true) then
    error(("expected %q in: %s"):format(text, tostring(err)), 2)
  end
  return err
end

return { failure = failure, raised = raised, says = says }
