	sleep 1
	curl http://127.0.0.1:6969/announce
	sleep 1
	curl http://127.0.0.1:6969/announce
	sleep 1
	curl http://127.0.0.1:6969/announce
