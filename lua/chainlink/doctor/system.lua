-- SPDX-License-Identifier: MIT
-- The libraries of this process, by their versions, and how many files it may open.

local core = require "chainlink.core"

local system = {}

local FEW_FILES, TOO_FEW_FILES = 256, 32

-- "libwebsockets 4.5.0-v4.5.0" -> 4005000; nil where there is no version
local function number_of(version)
  local major, minor, patch = (version or ""):match "(%d+)%.(%d+)%.?(%d*)"
  return major and tonumber(major) * 1e6 + tonumber(minor) * 1e3 + (tonumber(patch) or 0)
end

-- library, from this version, to this one (both included), status, what is wrong, what to do
local known = {
  { "libwebsockets", 4005000, 4005000, "fail", "libwebsockets 4.5.0 tells control frames as messages",
    "use 4.1 to 4.4, or 4.5.1 and later" },
  { "libwebsockets", 0, 4000999, "fail", "libwebsockets is older than 4.1, for which this is written",
    "use 4.1 to 4.4, or 4.5.1 and later" },
  { "libcurl", 0, 7079999, "warn", "libcurl is older than 7.80, which cannot sign anew once a connection stands",
    "where connecting takes seconds, signatures may be refused as too old: use 7.80 or later" },
  { "openssl", 0, 2999999, "fail", "OpenSSL is older than 3.0, for which this is written", "use 3.0 or later" },
}

--- The finding about the versions {libcurl=, libwebsockets=, openssl=}, texts as the libraries give them.
function system.libraries(findings, versions, err)
  local words, good = {}, true
  for _, library in ipairs { "libcurl", "libwebsockets", "openssl" } do
    local number = number_of(versions[library])
    words[#words + 1] = (library == "openssl" and "OpenSSL" or library) .. " "
      .. (versions[library] and versions[library]:match "%d+%.%d+%.?%d*" or "missing")
    for _, row in ipairs(known) do
      if number and row[1] == library and number >= row[2] and number <= row[3] then
        findings[row[4]](findings, "libraries", row[5], row[6])
        good = false
      end
    end
  end
  if err then return findings:fail("libraries", err.message, "install libcurl 4") end
  if good then
    local jit = rawget(_G, "jit")
    findings:ok("libraries", ("chainlink %s in %s, with %s"):format(core.version, jit and jit.version or _VERSION,
      table.concat(words, ", ")))
  end
end

--- The finding about how many files may be open.
function system.files(findings, limit)
  local words = ("%s files may be open"):format(limit == math.huge and "any number of" or ("%.0f"):format(limit))
  local advice = "each connection takes some five: raise the limit, as by ulimit -n 1024, or LimitNOFILE= of systemd"
  if limit < TOO_FEW_FILES then findings:fail("files", words, advice)
  elseif limit < FEW_FILES then findings:warn("files", words, advice)
  else findings:ok("files", words) end
end

return system
