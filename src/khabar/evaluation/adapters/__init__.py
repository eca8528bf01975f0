"""khabar's metrics in other libraries' shapes; nothing in the package imports this folder."""
