if vm.tier == "gold" and host.cores > 8 then
  return false, "small hosts for gold"
end
return true
