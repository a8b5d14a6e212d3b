rootProject.name = "ship"
