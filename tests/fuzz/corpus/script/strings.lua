return vm["tag.pci"] and string.rep("x", 3):upper() == "XXX" and select("#", 1, 2) == 2
