module parlor

go 1.27
