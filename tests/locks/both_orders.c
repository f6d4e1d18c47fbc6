/* SPDX-License-Identifier: Apache-2.0 */
/* What run.py has to find: two locks that are taken in both orders, although never at the same
 * time. */
#include <pthread.h>
#include <stddef.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

static void *take_both(void *turned)
{
	pthread_mutex_lock(turned ? &second : &first);
	pthread_mutex_lock(turned ? &first : &second);
	pthread_mutex_unlock(&first);
	pthread_mutex_unlock(&second);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	take_both(NULL);
	if (pthread_create(&thread, NULL, take_both, &first))
		return 1;
	pthread_join(thread, NULL);
	return 0;
}
