namespace CredBroker.Cedar.Tests;

/// <summary>A stack of 512 KiB: a third of what the runtime's own threads have on Linux.</summary>
internal static class SmallStack
{
    public static void Run(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        }, 512 * 1024);
        thread.Start();
        thread.Join();
        Assert.That(failure, Is.Null);
    }
}
