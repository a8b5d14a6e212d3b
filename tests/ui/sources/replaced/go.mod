module example.com/web

go 1.26

replace example.com/common => ../mains
