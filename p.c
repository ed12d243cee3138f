void bt_other_thing(void); void bt_other_thing(void) {}
