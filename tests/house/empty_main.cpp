// A program of nothing: what is linked into it must stand on its own.
int main() { return 0; }
