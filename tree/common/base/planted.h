int x;
int x;
