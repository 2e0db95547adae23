-- SPDX-License-Identifier: MIT
-- Where docs/troubleshooting.md tells what to do about an error.

local advice = {}

local MAX_SKEW = 5 -- seconds that the service accepts

local of_kind = {
  CircuitOpenError = "Circuit breaker is open",
  RateLimitError = "429 Too Many Requests",
}

function of_kind.AuthenticationError(err)
  if math.abs(err.clock_skew or 0) > MAX_SKEW then return "The clock is wrong" end
  return "401 Unauthorized, 403 Forbidden"
end

function of_kind.APIError(err)
  if err.message:find("/api/v2/ws", 1, true) or err.message:find("the connection", 1, true) then
    return "Handshake refused"
  end
  return err.status == 404 and "404: no report at that time" or nil
end

function of_kind.NetworkError(err)
  if err.message:find "TLS[: ]" then return "Certificate" end
  if err.message:find("HTTP ", 1, true) then return "Handshake refused" end
  return "Connection refused, name not found, timeout"
end

function of_kind.TimeoutError(err)
  if err.message:find "^no report" or err.message:find "^not connected" then return "No reports come" end
  return "Connection refused, name not found, timeout"
end

--- The heading for an error, nil where there is none.
function advice.heading(err)
  local found = of_kind[err.kind]
  if type(found) == "function" then return found(err) end
  return found
end

--- The page and its heading, nil where there is none.
function advice.place(err)
  local heading = advice.heading(err)
  return heading and "docs/troubleshooting.md#" .. heading:lower():gsub("[^%w%s-]", ""):gsub("%s", "-")
end

--- Where to read on, as a line below the error's own words; nothing where there is no heading.
function advice.line(err)
  local place = advice.place(err)
  return place and "\nSee " .. place or ""
end

return advice
