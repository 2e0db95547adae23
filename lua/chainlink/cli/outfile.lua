-- SPDX-License-Identifier: MIT
-- The file that --output names. It is written as FILE.part, and becomes FILE, in one step and with all of it on the
-- disk, when the command has done its work. What is no regular file (a device, a pipe) is written as it is.

local core = require "chainlink.core"

local outfile = {}
local Outfile = {}
Outfile.__index = Outfile

local function refuse(path, reason) error(("cannot write %s: %s"):format(path, reason), 0) end

local function open_as_it_is(path, shown)
  local handle, reason = io.open(path, "wb")
  if not handle then refuse(shown, reason:match ": (.*)$" or reason) end
  return setmetatable({ handle = handle, path = shown }, Outfile)
end

--- Makes FILE.part anew; raises where it cannot be, or another command writes it. -> {handle=, path=}
function outfile.open(path)
  local there, is_regular = core.real_path(path)
  if there and not is_regular then return open_as_it_is(there, path) end
  local target = there or path
  local part = target .. ".part"
  local claim, reason = core.claim_file(part, target)
  if not claim then refuse(part, reason) end
  local handle, why = io.open(part, "ab")
  if not handle then
    core.release_file(claim)
    refuse(part, why)
  end
  return setmetatable({ handle = handle, path = path, target = target, part = part, claim = claim }, Outfile)
end

-- -> done, reason
local function close(self)
  local closed, reason = self.handle:close()
  if not self.claim then return closed, reason end
  local on_disk, why = core.sync_file(self.claim)
  return closed and on_disk, reason or why
end

--- All is written: FILE is it now. -> true | nil, reason: it is not
function Outfile:finish()
  local done, reason = close(self)
  if done and self.claim then done, reason = os.rename(self.part, self.target) end
  if self.claim then core.release_file(self.claim) end
  if done then return true end
  local rest = self.part and "; " .. self.part .. " is not whole" or ""
  return nil, ("cannot write %s: %s%s"):format(self.path, reason, rest)
end

--- It will not be whole. -> what to tell the user; nil where nothing was written, and nothing is left
function Outfile:abandon()
  local size = self.handle:seek "end"
  close(self)
  if not self.claim then return ("%s is not whole"):format(self.path) end
  if size == 0 then os.remove(self.part) end
  core.release_file(self.claim)
  if size == 0 then return nil end
  return ("%s has what came, and is not whole; %s is as it was"):format(self.part, self.path)
end

return outfile
